"""The figures in RegionCLIP's questions are the slide's, and their arithmetic is right."""

from lecture10 import papers
from lecture10.exercises.answers.regionclip import align_places
from lecture10.quiz import bank

QUESTIONS = {q.id: q for q in bank.load("05_regionclip")}
TABLE = papers.printed("regionclip_top3")


def scores(picture: str, system: str) -> dict[str, float]:
    rows = TABLE[(TABLE["Picture"].astype(str) == picture) & (TABLE["System"] == system)]
    return {
        name: float(score.rstrip("%")) for name, score in zip(rows["Prediction"], rows["Score"], strict=True)
    }


def test_the_cake_wins_by_a_tenth_of_a_point():
    ours = scores("2", "Ours")
    assert ours == {"chocolate cake": 12.9, "truffle chocolate": 12.8, "chocolate mousse": 7.8}
    assert round(ours["chocolate cake"] - ours["truffle chocolate"], 1) == 0.1
    assert round(100 - sum(ours.values()), 1) == 66.5
    assert "0.1 points, and 66.5 %" in QUESTIONS["regionclip-cake"].choices[2].text


def test_the_failure_case_as_printed():
    ours, clip = scores("3", "Ours"), scores("3", "CLIP")
    for name, score in (ours | clip).items():
        assert name in QUESTIONS["regionclip-failure"].question
        assert score in (ours.get(name), clip.get(name))
    assert max(clip.values()) > max(ours.values())
    assert list(ours)[1] == list(clip)[1] == "cub"
    assert max(sum(ours.values()), sum(clip.values())) < 30
    assert scores("1", "Ours")["teddy bear"] == 99.5


def test_the_places_of_the_align_question():
    assert align_places(0.25, 0.75, 8, 2).tolist() == [2.5, 4.5]
    assert "2.5 and 4.5" in QUESTIONS["regionclip-align"].choices[3].text
