"""The painter's three networks, as the configuration classes of diffusers and transformers name them."""

from typing import Any

SCALE = 0.18215  # what an SD 1.x loader multiplies a latent with; export folds the measured scale into the weights

VAE: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 4,
    "block_out_channels": [16, 16, 32, 64],
    "layers_per_block": 1,
    "norm_num_groups": 2,  # several channels a group at every width: one a group would lose the absolute colour
    "sample_size": 128,
    "scaling_factor": SCALE,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
UNET: dict[str, Any] = {
    "sample_size": 16,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": [48, 64, 128],  # down to 4 x 4, where every place is known and a caption can lay out a shape
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "cross_attention_dim": 128,
    "attention_head_dim": 4,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
}
TEXT: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "projection_dim": 128,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 49407,
}
PREDICTION = "v_prediction"
GUIDANCE = 5.0  # what Easel paints with where nothing is said; at 7 colours bleed into the edges
ABOUT = "Easel's own small painter: one of twenty things, in eight colours, on six plain backgrounds."
