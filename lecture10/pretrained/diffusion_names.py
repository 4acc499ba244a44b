"""Our U-Net's and autoencoder's names and diffusers': the same tensors, so that weights travel both ways."""

import re

RULES = (  # in this order, each on what the one before has left
    (r"^time\.0\.", "time_embedding.linear_1."),
    (r"^time\.2\.", "time_embedding.linear_2."),
    (r"^into\.", "conv_in."),
    (r"^norm\.", "conv_norm_out."),
    (r"^out\.", "conv_out."),
    (r"^shrink\.(\d+)\.", r"down_blocks.\1.downsamplers.0.conv."),
    (r"^grow\.(\d+)\.", r"up_blocks.\1.upsamplers.0.conv."),
    (r"^(down|up)\.(\d+)\.", r"\1_blocks.\2."),
    (r"^mid_out\.", "mid_block.resnets.1."),
    (r"^mid\.", "mid_block."),
    (r"\.residual\.(\d+)\.time\.", r".resnets.\1.time_emb_proj."),
    (r"\.resnets\.1\.time\.", ".resnets.1.time_emb_proj."),
    (r"\.residual\.", ".resnets."),
    (r"\.shortcut\.", ".conv_shortcut."),
    (r"\.attention\.(\d+)\.into\.", r".attentions.\1.proj_in."),
    (r"\.attention\.(\d+)\.out\.", r".attentions.\1.proj_out."),
    (r"\.attention\.(\d+)\.norm\.", r".attentions.\1.norm."),
    (r"\.attention\.(\d+)\.", r".attentions.\1.transformer_blocks.0."),
    (r"\.transformer_blocks\.0\.attention\.", ".transformer_blocks.0.attn1."),
    (r"\.transformer_blocks\.0\.cross\.", ".transformer_blocks.0.attn2."),
    (r"\.(attn[12])\.([qkv])\.", r".\1.to_\2."),
    (r"\.(attn[12])\.out\.", r".\1.to_out.0."),
    (r"\.transformer_blocks\.0\.up\.", ".transformer_blocks.0.ff.net.0.proj."),
    (r"\.transformer_blocks\.0\.down\.", ".transformer_blocks.0.ff.net.2."),
)


def official_name(ours: str) -> str:
    """The name in UNet2DConditionModel's state of one of our U-Net's tensors.

    >>> official_name("down.1.attention.0.cross.q.weight")
    'down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_q.weight'
    """
    for pattern, theirs in RULES:
        ours = re.sub(pattern, theirs, ours)
    return ours


def official_autoencoder_name(ours: str, blocks: int) -> str:
    """The name in AutoencoderKL's state of one of our autoencoder's tensors.

    blocks: residual blocks a resolution on the way down (`AutoencoderConfig.blocks`); on the way up one more.

    >>> official_autoencoder_name("encoder.1.1.conv.weight", 1)
    'encoder.down_blocks.0.downsamplers.0.conv.weight'
    """
    half, _, rest = ours.partition(".")
    if half not in ("encoder", "decoder"):
        return ours.replace("post_quant.", "post_quant_conv.").replace("quant.", "quant_conv.", 1)
    part, _, rest = rest.partition(".")
    middle, way = ("2", "1") if half == "encoder" else ("1", "2")
    if part == middle:
        at, _, rest = rest.partition(".")
        if rest.split(".")[0] in ("q", "k", "v", "out", "norm"):
            kinds = {"norm": "group_norm", "out": "to_out.0"}
            kind, _, end = rest.partition(".")
            return f"{half}.mid_block.attentions.0.{kinds.get(kind, f'to_{kind}')}.{end}"
        return f"{half}.mid_block.resnets.{int(at) > 0:d}.{rest}".replace("shortcut", "conv_shortcut")
    if part == way:
        at, _, rest = rest.partition(".")
        each = blocks + (half == "decoder")  # residual blocks of a resolution, then the change of resolution
        level, place = divmod(int(at), each + 1)
        direction = "down" if half == "encoder" else "up"
        if place == each:
            return f"{half}.{direction}_blocks.{level}.{direction}samplers.0.{rest}"
        return f"{half}.{direction}_blocks.{level}.resnets.{place}.{rest}".replace(
            "shortcut", "conv_shortcut"
        )
    return f"{half}.{ {'0': 'conv_in', '3': 'conv_norm_out', '5': 'conv_out'}[part] }.{rest}"
