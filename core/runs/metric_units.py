"""The unit of each number that trainers record, for whoever looks at it alone."""

from collections.abc import Mapping

_NATS, _TOKEN, _SHARE, _SCORE, _PAID = "nats per response", "nats per token", "share", "raw score", "sd of score"

UNITS: Mapping[str, str] = {
    # preference pairs written, then a reward model or DPO
    "pairs": "pairs",
    "loss": "nats",
    "accuracy": "share of pairs",
    "margin": _SCORE,
    "min_reward": _SCORE,
    "mean_reward": _SCORE,
    "max_reward": _SCORE,
    "num_tokens": "tokens so far",
    "learning_rate": "a step",
    "grad_norm": "before clipping",
    "heldout/accuracy": "share of pairs",
    "heldout/log_loss": "nats a pair",
    "heldout/calibration_error": _SHARE,
    "probe/loss": "nats a pair",
    "best_step": "step",
    "rewards/chosen": "implicit reward, nats times β",
    "rewards/rejected": "implicit reward, nats times β",
    "rewards/margins": "implicit reward, nats times β",
    "rewards/accuracies": "share of pairs",
    "logps/chosen": _NATS,
    "logps/rejected": _NATS,
    # PPO, RLOO, GRPO
    "objective/kl": _NATS,
    "objective/kl_exact": _NATS,
    "objective/entropy": _NATS,
    "objective/non_score_reward": _PAID,
    "objective/scores": _PAID,
    "objective/rlhf_reward": _PAID,
    "objective/raw_scores": _SCORE,
    "objective/gold": "utility",
    "policy/approxkl_avg": _TOKEN,
    "policy/clipfrac_avg": "share of tokens",
    "policy/entropy_avg": _TOKEN,
    "loss/policy_avg": _PAID,
    "loss/value_avg": "squared sd of score",
    "val/clipfrac_avg": "share of tokens",
    "val/ratio": "ratio",
    "val/ratio_var": "squared ratio",
    "val/explained_variance": "share of the returns' variance",
    "val/num_eos_tokens": "responses that ended",
    "response_length": "tokens",
    "kl_coef": "score a nat",
    "optimizer_steps": "steps an update",
    "lr": "a step",
    "eps": "responses a second",
    "time/sampling": "seconds",
    "time/scoring": "seconds",
    "time/optimisation": "seconds",
    # a loss surface
    "points": "points measured",
}
