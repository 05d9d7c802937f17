"""PPO as a whole: what must hold at the first minibatch, on every record, and across an interruption."""

import copy
import statistics

import pytest
import torch

from core.alignment.actor_critic import ActorCritic, Sequences, of_tokens, response_distribution
from core.alignment.configs import PPOConfig
from core.alignment.gae import gae
from core.alignment.masked import masked_whiten
from core.alignment.ppo import train_ppo
from core.alignment.reward_model import Normalisation, RewardModel, new_reward_model, raw_scores, score
from core.alignment.tuning import Tuning, prompts_of_update
from core.errors import PlaygroundError
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from tests import tiny

CONFIG = PPOConfig(
    updates=4, rollout_batch=8, max_new_tokens=10, learning_rate=3e-4, epochs=2, minibatches=2, kl_coef=0.05, seed=1
)


def judge(family="gpt2"):
    model = new_reward_model(tiny.FAMILIES[family](seed=5), tiny.tokenizer())
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    return RewardModel(model, tiny.tokenizer(), Normalisation(0.2, 1.5, "tiny"))


def run(config=CONFIG, family="gpt2", state=None, controls=None, seed=0):
    policy = tiny.FAMILIES[family](seed=seed)
    reference = tiny.FAMILIES[family](seed=0)
    extra = {"controls": controls} if controls else {}
    return train_ppo(policy, reference, judge(family), tiny.PROMPTS, config, tiny.tokenizer(), state=state, **extra)


@pytest.fixture(params=["float32", "bfloat16"])
def precision(request, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_PRECISION", request.param)
    return request.param


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("value_model", ["shared", "separate"])
def test_at_the_first_update_ratio_is_one_and_kl_is_zero(family, value_model, precision):
    config = CONFIG.model_copy(update={"epochs": 1, "minibatches": 1, "value_model": value_model})
    record = next(run(config, family))
    assert record.metrics["val/ratio"] == pytest.approx(1.0, abs=1e-6)
    assert record.metrics["policy/approxkl_avg"] == pytest.approx(0.0, abs=1e-10)
    assert record.metrics["policy/clipfrac_avg"] == 0.0
    assert record.metrics["objective/kl"] == pytest.approx(0.0, abs=1e-4)
    assert record.metrics["objective/kl_exact"] == pytest.approx(0.0, abs=1e-4)
    assert record.rollout["ratio"].sub(1).abs().max() < 1e-5


def test_the_rollout_behind_a_record_is_consistent():
    *_, record = run()
    t, mask = record.rollout, record.rollout["mask"]
    advantages, returns = gae(t["rewards"], t["values"], mask, CONFIG.gamma, CONFIG.lam)
    torch.testing.assert_close(t["advantages"], masked_whiten(advantages, mask))
    torch.testing.assert_close(t["returns"], returns)
    torch.testing.assert_close(t["kl"], (t["logprobs"] - t["ref_logprobs"]) * mask)
    torch.testing.assert_close(t["scores"], (t["raw_scores"] - 0.2) / 1.5)
    charged = -record.metrics["kl_coef"] * t["kl"].sum(-1)
    torch.testing.assert_close(t["rewards"].sum(-1), t["scores"] + charged, atol=1e-5, rtol=0)
    assert t["ratio"].shape == (CONFIG.epochs, *mask.shape) and t["clipped"].shape == t["ratio"].shape
    assert record.metrics["objective/kl"] == pytest.approx(t["kl"].sum(-1).mean().item(), abs=1e-5)
    assert record.metrics["objective/scores"] == pytest.approx(t["scores"].mean().item(), abs=1e-6)
    assert record.metrics["objective/kl_exact"] > 0
    for name in ("logprobs", "values", "rewards", "advantages", "exact_kl", "entropy"):
        assert t[name][mask == 0].eq(0).all(), name


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_recomputed_logprobs_equal_those_of_sampling_and_of_a_plain_forward(family):
    policy, tokenizer = tiny.FAMILIES[family](), tiny.tokenizer()
    rollout = sample(policy, tokenizer, tiny.PROMPTS, SamplingConfig(max_new_tokens=10, temperature=0.8))
    with torch.no_grad():
        sequences = Sequences.of(rollout, policy.device)
        log_p, values = ActorCritic(policy)(sequences, 0.8)
    logprobs = sequences.spread(of_tokens(log_p, sequences.tokens))
    torch.testing.assert_close(logprobs, rollout.logprobs, atol=1e-4, rtol=0)
    assert values.eq(0).all()  # the critic starts from nothing
    plain = policy(rollout.query_ids[:1][rollout.query_mask[:1].bool()][None]).logits[0, -1] / 0.8
    torch.testing.assert_close(log_p[0], plain.log_softmax(-1), atol=1e-4, rtol=0)


def test_a_value_head_that_starts_from_nothing_learns_at_a_rate_of_its_own():
    """Adam's first step is the rate times a number of the gradient's alone: rates tell apart what they move."""
    once = {"updates": 1, "epochs": 1, "minibatches": 1}

    def first_step(**settings):
        record = next(run(CONFIG.model_copy(update=once | settings)))
        start = dict(ActorCritic(tiny.gpt2(), judge() if "value_model" in settings else None).named_parameters())
        return {name: after - start[name].detach() for name, after in record.state()["model"].items()}

    slow, fast = first_step(head_learning_rate=1e-3), first_step(head_learning_rate=4e-3)
    for name, step in slow.items():
        times = 4 if name.startswith("value_head.") else 1
        assert torch.allclose(fast[name], times * step, atol=1e-7), name
    assert slow["value_head.weight"].abs().max() == pytest.approx(1e-3, rel=0.1)
    assert slow["policy.transformer.wte.weight"].abs().max() == pytest.approx(3e-4, rel=0.1)
    turned = run(
        CONFIG.model_copy(update=once | {"head_learning_rate": 1e-3}), controls=lambda _: {"learning_rate": 6e-4}
    )
    assert torch.allclose(next(turned).state()["model"]["value_head.weight"], 2 * slow["value_head.weight"], atol=1e-7)
    of_its_own = [first_step(head_learning_rate=rate, value_model="separate") for rate in (1e-3, 4e-3)]
    assert all(torch.equal(of_its_own[0][name], step) for name, step in of_its_own[1].items())
    assert of_its_own[0]["value_head.weight"].abs().max() < 3.1e-4


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_separate_critic_starts_as_the_reward_model(family):
    """Before anything is learnt, a text that stops here is worth the normalised score it has so far."""
    record = next(run(CONFIG.model_copy(update={"value_model": "separate", "updates": 1}), family))
    t, rater = record.rollout, judge(family)
    for row in range(3):
        ids = t["query_ids"][row][t["query_mask"][row].bool()]
        for place in range(int(t["mask"][row].sum())):
            read = torch.cat([ids, t["response_ids"][row, :place]])[None]
            raw = raw_scores(rater.model, read, torch.ones_like(read))
            assert t["values"][row, place].item() == pytest.approx(rater.normalise(raw).item(), abs=1e-4)


def test_the_first_policy_gradient_is_the_reinforce_gradient():
    """At ratio one the surrogate's gradient is −Â ∇log π: computed here the long way, token by token."""
    config = CONFIG.model_copy(update={"epochs": 1, "minibatches": 1, "vf_coef": 0.0, "updates": 1})
    policy, before = tiny.gpt2(), tiny.gpt2()
    record = next(train_ppo(policy, tiny.gpt2(), judge(), tiny.PROMPTS, config, tiny.tokenizer()))
    t = record.rollout
    ids = torch.cat([t["query_ids"], t["response_ids"]], dim=1)
    mask = torch.cat([t["query_mask"], t["mask"].long()], dim=1)
    sequences = Sequences(ids, mask, t["query_ids"].shape[1])
    logprobs = sequences.spread(of_tokens(response_distribution(before, sequences, 1.0), sequences.tokens))
    loss = -(t["advantages"] * logprobs * t["mask"]).sum() / t["mask"].sum()
    loss.backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in before.parameters()])
    assert record.metrics["grad_norm"] == pytest.approx(norm.item(), rel=1e-4)


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(precision):
    def numbers(record):
        return {k: v for k, v in record.metrics.items() if not k.startswith("time/") and k != "eps"}

    whole = [(numbers(r), r.samples) for r in run()]
    first = run()
    next(first)
    state = copy.deepcopy(next(first).state())
    rest = [(numbers(r), r.samples) for r in run(state=state, seed=7)]
    assert rest == whole[2:]


def test_controls_take_effect_at_the_update_they_are_given_for():
    records = list(run(controls=lambda update: {"learning_rate": 1e-9, "kl_coef": 0.5} if update == 3 else {}))
    assert [r.metrics["kl_coef"] for r in records] == [0.05, 0.05, 0.5, 0.5]
    assert [r.metrics["lr"] for r in records] == [3e-4, 3e-4, 1e-9, 1e-9]


def test_it_learns_what_the_reward_model_likes():
    """One token a response: a bandit whose best arms PPO must find."""
    changes = {"updates": 12, "rollout_batch": 64, "max_new_tokens": 1, "kl_coef": 0.0, "learning_rate": 3e-3}
    runs = [list(run(CONFIG.model_copy(update=changes | {"seed": seed}))) for seed in range(4)]
    gains = [one[-1].metrics["objective/scores"] - one[0].metrics["objective/scores"] for one in runs]
    assert statistics.fmean(gains) > 1.0  # of one seed, 64 tokens say it to within half of that
    assert all(one[-1].metrics["objective/kl_exact"] > 0.5 for one in runs)


def test_target_kl_ends_the_epochs_early():
    config = CONFIG.model_copy(update={"epochs": 10, "learning_rate": 1e-2, "target_kl": 1e-4, "updates": 1})
    assert next(run(config)).metrics["optimizer_steps"] < 20


def test_a_kl_budget_ends_the_run_and_a_run_that_has_ended_stays_so():
    """The first update's KL is zero, so the second is the first that can spend a tiny budget."""
    config = CONFIG.model_copy(update={"kl_budget": 1e-9, "learning_rate": 1e-3})
    first, last = list(run(config))
    assert first.metrics["objective/kl_exact"] < 1e-9 < last.metrics["objective/kl_exact"]
    assert first.result is None and last.result is not None and last.step == last.total == 2
    assert list(run(config, state=last.state())) == []
    assert len(list(run(config.model_copy(update={"kl_budget": 1e9})))) == config.updates


@pytest.mark.parametrize("resumed_behind", [0, 4])
def test_the_budget_is_held_against_the_last_three_updates_on_average_also_after_a_resume(resumed_behind):
    whole = list(run(CONFIG.model_copy(update={"updates": 8, "learning_rate": 1e-3})))
    drift = [record.metrics["objective/kl_exact"] for record in whole]
    spent = [statistics.mean(drift[max(0, at - 2) : at + 1]) for at in range(len(drift))]
    budget = (max(spent[:5]) + spent[5]) / 2
    assert max(spent[:5]) < budget < spent[5]  # the drift rises: the sixth update is the first to spend it
    config = CONFIG.model_copy(update={"updates": 8, "learning_rate": 1e-3, "kl_budget": budget})
    records, state = run(config), None
    for _ in range(resumed_behind):
        state = copy.deepcopy(next(records).state())
    records = list(run(config, state=state))
    assert records[-1].step == 6 and records[-1].result is not None


def test_a_response_that_never_ends_pays_the_penalty():
    plain, penalised = (next(run(CONFIG.model_copy(update={"missing_end_penalty": p}))) for p in (0.0, 3.0))
    mask = plain.rollout["mask"]
    unended = ~((plain.rollout["response_ids"] == 0) & mask.bool()).any(-1)
    difference = (plain.rollout["rewards"] - penalised.rollout["rewards"]).sum(-1)
    torch.testing.assert_close(difference, 3.0 * unended.float())
    assert unended.any()


def test_every_prompt_is_used_once_before_any_is_used_again():
    prompts = [str(i) for i in range(10)]
    config = CONFIG.model_copy(update={"rollout_batch": 4})
    used = [p for update in range(1, 6) for p in prompts_of_update(prompts, config, update)]
    assert sorted(used[:10]) == sorted(used[10:]) == sorted(prompts) and used[:10] != used[10:]


def test_what_is_scored_is_the_text_and_nothing_else():
    record = next(run())
    raw = score(
        judge().model, tiny.tokenizer(), [s["prompt"] for s in record.samples], [s["response"] for s in record.samples]
    )
    torch.testing.assert_close(record.rollout["raw_scores"][: len(raw)], raw, atol=1e-5, rtol=0)


def test_bad_input_is_named():
    with pytest.raises(PlaygroundError, match="no prompts"):
        next(train_ppo(tiny.gpt2(), tiny.gpt2(), judge(), [], CONFIG, tiny.tokenizer()))
    exploding = run(
        CONFIG.model_copy(update={"learning_rate": 1e-2, "updates": 3}), controls=lambda _: {"kl_coef": 1e39}
    )
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        list(exploding)


def test_a_reward_model_that_reads_other_tokens_cannot_be_a_critic_of_its_own():
    config = CONFIG.model_copy(update={"value_model": "separate"})
    longer, other = tiny.gpt2(context=128), tiny.tokenizer()
    other.add_tokens(["<|more|>"])
    for policy, tokenizer, told in ((longer, tiny.tokenizer(), "context is 64"), (tiny.gpt2(), other, "knows others")):
        with pytest.raises(PlaygroundError, match=told):
            next(train_ppo(policy, tiny.gpt2(), judge(), tiny.PROMPTS, config, tokenizer))
    next(train_ppo(longer, tiny.gpt2(context=128), judge(), tiny.PROMPTS, CONFIG, other))  # a shared trunk may


def test_a_rollout_larger_than_a_batch_of_sampling_is_drawn_in_several():
    tuning = Tuning(tiny.gpt2(), PPOConfig(rollout_batch=1024), None)
    assert tuning.sampling.batch_size <= 512


def test_what_is_looked_at_again_is_the_policy_after_the_update():
    policy = tiny.gpt2()
    records = train_ppo(policy, tiny.gpt2(), judge(), tiny.PROMPTS, CONFIG, tiny.tokenizer())
    t = next(records).rollout
    input_ids = torch.cat([t["query_ids"], t["response_ids"]], 1)
    attention = torch.cat([t["query_mask"], t["mask"].long()], 1)
    sequences = Sequences(input_ids, attention, t["query_ids"].shape[1])
    with torch.no_grad():
        after, before = (response_distribution(model, sequences, 1.0) for model in (policy, tiny.gpt2()))
    written = t["mask"] > 0
    torch.testing.assert_close(t["new_logprobs"][written], of_tokens(after, sequences.tokens), atol=1e-4, rtol=0)
    for name, log_p in (("top", before), ("new_top", after)):
        values, ids = log_p.topk(5)
        torch.testing.assert_close(t[f"{name}_logprobs"][written], values, atol=1e-4, rtol=0)
        assert (t[f"{name}_ids"][written] == ids).float().mean() > 0.99  # equal but for near ties
    assert all(t[name][~written].eq(0).all() for name in ("new_logprobs", "top_logprobs", "new_top_logprobs"))
    assert (t["new_logprobs"] - t["logprobs"]).abs().max() > 1e-3


def test_without_looking_again_the_curve_is_the_same():
    def run(look_again):
        config = CONFIG.model_copy(update={"look_again": look_again})
        records = list(train_ppo(tiny.gpt2(), tiny.gpt2(), judge(), tiny.PROMPTS, config, tiny.tokenizer()))
        untimed = [{n: v for n, v in one.metrics.items() if not n.startswith(("time/", "eps"))} for one in records]
        return untimed, set(records[-1].rollout)

    (seen, names), (unseen, fewer) = run(True), run(False)
    assert seen == unseen
    assert names - fewer == {"new_logprobs", "new_top_ids", "new_top_logprobs"}
