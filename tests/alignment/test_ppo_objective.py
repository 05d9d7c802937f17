"""What an update of PPO minimises and is paid in: loss, statistics and gradients in closed form, padding in the batch."""

import pytest
import torch

from core.alignment.actor_critic import Sequences, of_tokens
from core.alignment.configs import PPOConfig
from core.alignment.masked import masked_mean, masked_var
from core.alignment.ppo import STATISTICS, losses_of, train_ppo
from tests import tiny
from tests.alignment.test_ppo import CONFIG, judge

VOCABULARY = 7
WRITTEN = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]]).bool()
ODD = PPOConfig(vf_coef=0.37, entropy_coef=0.13, cliprange=0.17, cliprange_value=0.23)
EPSILON, EPSILON_VALUE, N = ODD.cliprange, ODD.cliprange_value, 10  # N: the tokens of WRITTEN


def drawn(seed=0):
    """Three rows behind a prompt of two tokens, the logits and values of their tokens, and what was known before."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(VOCABULARY, (3, 8), generator=generator)
    part = Sequences(ids, torch.cat([torch.ones(3, 2).bool(), WRITTEN], 1).long(), 2)
    logits = torch.randn(N, VOCABULARY, generator=generator).double().requires_grad_()
    values = torch.randn(N, generator=generator).double().requires_grad_()
    moved, apart, advantages, returns = torch.randn(4, N, generator=generator).double()
    logprobs = of_tokens(logits.detach().log_softmax(-1), part.tokens) - 0.3 * moved
    known = {"logprobs": logprobs, "advantages": advantages, "values": values.detach() - apart, "returns": returns}
    return part, logits, values, known


def losses(part, logits, values, known):
    batch = {name: part.spread(x) for name, x in known.items()} | {"mask": WRITTEN.double()}
    loss, averages, _, _ = losses_of(lambda *_: (logits.log_softmax(-1), values), part, batch, ODD)
    return loss, dict(zip(STATISTICS, averages.tolist(), strict=True))


def test_the_statistics_of_a_step_are_the_closed_form_over_its_tokens():
    part, logits, values, known = drawn()
    _, found = losses(part, logits, values, known)
    log_p = logits.detach().log_softmax(-1)
    moved = of_tokens(log_p, part.tokens) - known["logprobs"]
    ratio = moved.exp()
    surrogate = torch.minimum(ratio * known["advantages"], ratio.clamp(1 - EPSILON, 1 + EPSILON) * known["advantages"])
    bounded = known["values"] + (values.detach() - known["values"]).clamp(-EPSILON_VALUE, EPSILON_VALUE)
    plain, clipped = ((each - known["returns"]) ** 2 for each in (values.detach(), bounded))
    expected = {
        "policy/approxkl_avg": (moved**2 / 2).mean(),
        "policy/clipfrac_avg": (surrogate < ratio * known["advantages"]).double().mean(),
        "policy/entropy_avg": -(log_p.exp() * log_p).sum(-1).mean(),
        "loss/policy_avg": -surrogate.mean(),
        "loss/value_avg": torch.maximum(plain, clipped).mean() / 2,
        "val/clipfrac_avg": (clipped > plain).double().mean(),
        "val/ratio": ratio.mean(),
    }
    assert found == pytest.approx({name: value.item() for name, value in expected.items()}, rel=1e-9)
    assert 0 < found["policy/clipfrac_avg"] < 1 and 0 < found["val/clipfrac_avg"] < 1


def test_the_loss_is_policy_and_weighted_value_less_weighted_entropy():
    loss, parts = losses(*drawn())
    expected = parts["loss/policy_avg"] + 0.37 * parts["loss/value_avg"] - 0.13 * parts["policy/entropy_avg"]
    assert loss.item() == pytest.approx(expected, rel=1e-9)


def test_what_is_differentiated_is_that_loss():
    """∂/∂z = −Â ρ (1_a − p) where not clipped + c p (log p + H), ∂/∂V = v (V − R) where not clipped: each over N."""
    part, logits, values, known = drawn()
    loss, _ = losses(part, logits, values, known)
    loss.backward()
    log_p, advantages = logits.detach().log_softmax(-1), known["advantages"]
    p, ratio = log_p.exp(), (of_tokens(log_p, part.tokens) - known["logprobs"]).exp()
    pushed = ~torch.where(advantages > 0, ratio > 1 + EPSILON, ratio < 1 - EPSILON)
    chosen = torch.nn.functional.one_hot(part.tokens, VOCABULARY)
    surrogate = -(advantages * ratio * pushed)[:, None] * (chosen - p)
    flattening = p * (log_p - (p * log_p).sum(-1, keepdim=True))
    torch.testing.assert_close(logits.grad, (surrogate + 0.13 * flattening) / N)
    off, step = values.detach() - known["returns"], values.detach() - known["values"]
    beyond = step - step.clamp(-EPSILON_VALUE, EPSILON_VALUE)
    held = (off - beyond).abs() > off.abs()  # the clipped value is the farther one: no gradient
    torch.testing.assert_close(values.grad, 0.37 * off * ~held / N)
    assert held.any() and not held.all() and pushed.any() and not pushed.all()


def test_whitened_rewards_keep_their_mean_and_have_deviation_one():
    plain, whitened = (
        next(train_ppo(tiny.gpt2(), tiny.gpt2(seed=2), judge(), tiny.PROMPTS, config, tiny.tokenizer())).rollout
        for config in (CONFIG, CONFIG.model_copy(update={"whiten_rewards": True}))
    )
    mask, rewards = plain["mask"], plain["rewards"]
    mean, deviation = masked_mean(rewards, mask), masked_var(rewards, mask).sqrt()
    assert abs(mean.item()) > 0.1 and abs(deviation.item() - 1) > 0.1
    torch.testing.assert_close(whitened["rewards"], ((rewards - mean) / deviation + mean) * mask, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(masked_mean(whitened["rewards"], mask), mean, atol=1e-5, rtol=0)


def test_an_adaptive_beta_follows_the_sampled_kl_over_the_responses_of_a_rollout():
    """The target is a tenth below what the first update measures: β grows by a tenth of 8 responses in 100."""

    def run(**settings):
        config = CONFIG.model_copy(update={"updates": 2} | settings)
        return train_ppo(tiny.gpt2(), tiny.gpt2(seed=2), judge(), tiny.PROMPTS, config, tiny.tokenizer())

    free = next(run()).metrics
    assert abs(free["objective/kl_exact"] / free["objective/kl"] - 1) > 1e-2  # the exact KL would give another β
    first, second = (record.metrics for record in run(kl_target=free["objective/kl"] / 1.1, kl_horizon=100.0))
    assert (first["objective/kl"], first["kl_coef"]) == (free["objective/kl"], CONFIG.kl_coef)
    assert second["kl_coef"] == pytest.approx(CONFIG.kl_coef * (1 + 0.1 * CONFIG.rollout_batch / 100), rel=1e-9)
