"""Stable Diffusion's official weights, from a local folder or the hub: through diffusers, and in our modules.

Rombach et al. 2022. Read is diffusers' layout (model_index.json, unet/, vae/, text_encoder/, tokenizer/,
scheduler/) with safetensors only; nothing is unpickled. The U-Net and the autoencoder are read into ours too,
so that the same weights draw under our loop. Versions 1.x; 2.x has parts that ours does not, and is refused
by ours, not by diffusers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lecture10.models.autoencoder import Autoencoder
from lecture10.models.ddpm import Diffusion
from lecture10.models.denoise import sample
from lecture10.models.guidance import check_guidance, guide
from lecture10.models.unet import UNet
from lecture10.pretrained.diffusers_folder import read_part, read_schedule
from lecture10.pretrained.folder import official_folder

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline

NAMES = {
    "1.4": "CompVis/stable-diffusion-v1-4",
    "1.5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
}
NEEDS = (
    "model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json",
    "scheduler/scheduler_config.json",
)  # fmt: skip


class OfficialStableDiffusion:
    """diffusers' pipeline, and its U-Net and autoencoder as ours (read when first asked for)."""

    def __init__(self, pipeline: "StableDiffusionPipeline", folder: Path):
        self.pipeline, self.folder = pipeline, folder
        self._ours: tuple[UNet, Autoencoder, Diffusion, str] | None = None

    def check(self, prompts: Sequence[str], guidance: float) -> None:
        """Raise ValueError for prompts that the text encoder would cut off, and for a negative guidance."""
        check_guidance(guidance)
        words = self.pipeline.tokenizer
        for prompt in prompts:
            n = len(words(prompt)["input_ids"])
            if n > words.model_max_length:
                raise ValueError(
                    f"{prompt[:40]!r}… has {n} tokens, this text encoder reads {words.model_max_length}: "
                    "shorten it"
                )

    @torch.no_grad()
    def draw(
        self, prompts: Sequence[str], noise: Tensor, *, guidance: float = 7.5, steps: int = 20
    ) -> Tensor:
        """Pictures as diffusers draws them, with the folder's own scheduler: (n, 3, S, S) in [0, 1].

        noise: (n, z, h, h) from N(0, 1). guidance: libraries' scale, off at 1.
        """
        self.check(prompts, guidance)
        drawn = self.pipeline(
            list(prompts), latents=noise, guidance_scale=guidance, num_inference_steps=steps,
            output_type="pt",
            height=noise.shape[2] * self.pipeline.vae_scale_factor,
            width=noise.shape[3] * self.pipeline.vae_scale_factor,
        )  # fmt: skip
        return drawn.images.cpu().float()

    def ours(self) -> tuple[UNet, Autoencoder, Diffusion, str]:
        """(U-Net, autoencoder, noise schedule, what the U-Net says) as our modules, with the same weights.

        Raises ValueError where a part is not like ours, naming the setting.
        """
        if self._ours is None:
            (_, unet), (_, decoder) = read_part(self.folder, "unet"), read_part(self.folder, "vae")
            schedule, target = read_schedule(self.folder)
            self._ours = unet, decoder, Diffusion(schedule), target
        return self._ours

    @torch.no_grad()
    def read(self, prompts: Sequence[str]) -> Tensor:
        """The text encoder's states of the prompts, filled up to its context: (n, T, D)."""
        words = self.pipeline.tokenizer
        ids = words(
            list(prompts), padding="max_length", max_length=words.model_max_length, truncation=True,
            return_tensors="pt",
        ).input_ids  # fmt: skip
        return self.pipeline.text_encoder(ids)[0]

    @torch.no_grad()
    def draw_by_ours(
        self, prompts: Sequence[str], noise: Tensor, *, guidance: float = 7.5, steps: int = 20
    ) -> Tensor:
        """The same by our U-Net, autoencoder, guidance and DDIM loop; only the text encoder is theirs.

        Our loop starts where the noise is pure ("trailing" steps); most folders' own schedulers do not.
        """
        self.check(prompts, guidance)
        unet, decoder, process, target = self.ours()
        without, with_prompt = self.read([""] * len(prompts)), self.read(prompts)
        both = torch.cat([without, with_prompt])

        def network(z_t: Tensor, t: Tensor) -> Tensor:
            said = unet(torch.cat([z_t, z_t]), torch.cat([t, t]), both)
            return guide(*said.chunk(2), guidance)

        z = sample(network, process, noise, steps=steps, method="ddim", kind=target)
        scale = self.pipeline.vae.config.scaling_factor
        return decoder.decode(z / scale).clamp(-1, 1) / 2 + 0.5


def load(source: str | Path = "1.5", *, download: bool = False) -> OfficialStableDiffusion:
    """Official weights: a name in NAMES, a hub name, or a local folder in diffusers' layout.

    Looks on this machine only, unless download=True (see `official_folder`). Raises FileNotFoundError, saying
    what to download and where to put it, when the weights are not here; ValueError for a damaged or foreign
    folder.
    """
    folder = official_folder(NAMES.get(str(source), source), NEEDS, download=download)
    from diffusers import StableDiffusionPipeline

    try:
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, safety_checker=None, feature_extractor=None,
            requires_safety_checker=False,
        )  # fmt: skip
    except Exception as error:  # many libraries, many exceptions, one cure
        raise ValueError(f"{folder.name} is damaged ({error}): download it again") from error
    pipeline.set_progress_bar_config(disable=True)
    return OfficialStableDiffusion(pipeline, folder)
