"""Advantages without a critic: a response is compared with the others to the same prompt."""

from torch import Tensor


def leave_one_out(rewards: Tensor) -> Tensor:
    """A_i = R_i − mean of the other responses' rewards: [prompts, k] -> [prompts, k], k ≥ 2.

    The baseline does not depend on the response it is taken from, so the gradient stays unbiased.
    Source: Kool et al., "Buy 4 REINFORCE samples, get a baseline for free!" (2019); Ahmadian et al., "Back to
    basics" (2024), on RLOO.
    """
    count = rewards.shape[1]
    return (rewards - rewards.mean(1, keepdim=True)) * (count / (count - 1))


def group_relative(rewards: Tensor) -> Tensor:
    """A_i = (R_i − mean R) / (sd R + 1e-4) within the group: [prompts, k] -> [prompts, k], k ≥ 2.

    Source: Shao et al., "DeepSeekMath" (2024), section 4.1.2.
    """
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-4)
