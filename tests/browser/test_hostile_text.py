"""Hostile text is text on every page that shows it, and no page asks anybody but its own server for anything.

One server's data is poisoned: an annotator's name, an own prompt and what was written for it, votes, an imported file, a
run's name, the prompts it trained on. Then every page is opened, with the network log on.
"""

import json
from urllib.parse import quote, urlsplit

import pytest

from core.alignment.configs import PPOConfig, RewardConfig
from tests import tiny

SHOWN = "<b>bold</b> <script>window.hacked=1</script>"
HOSTILE = (
    f'{SHOWN}<img src="http://evil.invalid/a.png" onerror="window.hacked=1"> ![i](http://evil.invalid/b.png) '
    "[go](javascript:window.hacked=1) [out](http://evil.invalid) http://evil.invalid/c www.evil.invalid x@evil.invalid "
    ":red[red] :material/elderly: :streamlit: :sunny: a -> b $x^2$ $$y$$ **star** __line__ `code` ~~gone~~ # head | a | b | &lt;i&gt; {{x}} \x1b[31mred"
)
NAME = "<i onclick=window.hacked=1>Eve</i> :red[x] $y$ [l](http://evil.invalid)"
INJECTED = """() => ({
  hacked: window.hacked ?? null,
  images: [...document.images].map(image => image.src).filter(src => src.includes('evil')),
  links: [...document.querySelectorAll('a')].map(a => a.href)
    .filter(href => /^(javascript|mailto):|^https?:[/][/][^/]*evil/i.test(href)),
  formulas: [...document.querySelectorAll('.katex')].map(one => one.innerText).filter(text => /^[xy]/.test(text.trim())),
  words: [...document.querySelectorAll('b, strong, code, del, i, em, th')].map(one => one.innerText.trim())
    .filter(text => ['bold', 'star', 'line', 'code', 'gone', 'Eve'].includes(text)),
  signs: [...document.querySelectorAll('[alt="Streamlit logo"], [aria-label^="elderly"]')].map(one => one.outerHTML),
  drawn: [...document.querySelectorAll('.stMain :is(p, h3, span)')].map(one => one.innerText)
    .filter(text => /☀|a → b/.test(text)),
})"""
NOTHING = {"hacked": None, "images": [], "links": [], "formulas": [], "words": [], "signs": [], "drawn": []}


@pytest.fixture(scope="module")
def poisoned(served, tmp_path_factory):
    """Ids of a reward run and a PPO run on the poisoned data of the served app."""
    from core.feedback.interchange import import_preferences
    from core.feedback.own_prompts import add_own_prompts, set_of
    from core.feedback.store import FeedbackStore, NewPair
    from core.runs import recorder
    from core.runs.jobs import PPOJob, RewardJob
    from core.runs.looking_job import LookBackJob
    from core.runs.store import RunStore

    folder = tmp_path_factory.mktemp("poison")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RLHF_PLAYGROUND_HOME", str(served[1]))
        votes, runs = FeedbackStore(), RunStore()
        add_own_prompts(NAME, [HOSTILE])
        pool = ("storyteller", set_of(NAME))
        votes.add_pairs(
            [NewPair(HOSTILE, f" {place} {HOSTILE}", f" {HOSTILE} {place}", *pool) for place in range(20)], "written"
        )
        for _ in range(2):
            votes.vote(votes.next_pair(NAME, *pool), NAME, "left", response_seconds=1.0)
        file = folder / "rows.jsonl"
        rows = [
            {"prompt": f"{place} {HOSTILE}", "chosen": f" no {HOSTILE}", "rejected": f" {HOSTILE} yes {place}"}
            for place in range(16)
        ]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        dataset = import_preferences(file, votes, name=HOSTILE).dataset_id
        policy, prompts = folder / "tiny", folder / "prompts.txt"
        tiny.gpt2(context=512).save_pretrained(policy)
        tiny.tokenizer().save_pretrained(policy)
        prompts.write_text("\n".join(f"{HOSTILE} {place}" for place in range(5)), encoding="utf-8")
        config = RewardConfig(batch_pairs=4, heldout_share=0.5, weights_kept=0, max_tokens=512, learning_rate=1e-5)
        reward = runs.create(
            RewardJob(preferences=(f"dataset:{dataset}",), model=str(policy), reward=config), name=HOSTILE, queued=False
        )
        assert recorder.execute(reward.id).status == "finished"
        ppo = PPOConfig(updates=2, rollout_batch=2, max_new_tokens=6, minibatches=1, weights_every=1, watch_prompts=1)
        job = PPOJob(model=str(policy), reward_model=str(reward.folder / "reward_model"), prompts=str(prompts), ppo=ppo)
        tuned = runs.create(job, name=HOSTILE, queued=False)
        assert recorder.execute(tuned.id).status == "finished"
        looked = runs.create(LookBackJob.over(tuned.id, runs.get(tuned.id).config), queued=False)
        assert recorder.execute(looked.id).status == "finished", runs.get(looked.id).error
    return {"reward": reward.id, "ppo": tuned.id}


def places(runs: dict[str, str]) -> dict[str, str | None]:
    """Every page as it shows the poison where it can, and a locator in which the poison must be readable."""
    text, name = quote(HOSTILE), quote(NAME)
    return {
        "/": None,
        f"/why_transformers?part={text}": None,
        "/embeddings": None,
        f"/attention?sentence={quote(SHOWN)}": None,
        "/transformer_block": None,
        f"/label?annotator={name}&prompts=My+own+prompts": ".st-key-pair_prompt",
        f"/label?annotator={text}": None,
        "/loss_surface": None,
        f"/reward_model?run={runs['reward']}&part=Worst+mistakes&mistakes_all=true": ".stMain",
        f"/reward_model?run={text}": ".stAlert",
        f"/ppo?run={runs['ppo']}&ppo_view=Texts": ".stMain",
        f"/token_microscope?run={runs['ppo']}": None,
        f"/before_after?run={runs['ppo']}": ".stMain",
        f"/before_after?run={text}": ".stAlert",
        "/goodhart": None,
        "/frontier": None,
        "/clinic": None,
        f"/runs?show={runs['ppo']}": ".stMain",
        "/models": None,
        f"/data?who={name}": None,
        "/data?view=Import": ".stMain",
        f"/data?view=Prompts&find={text}": None,
    }


def test_every_page_shows_it_as_text_and_asks_no_other_host(page, served, poisoned):
    own, asked, faults = urlsplit(served[0]).netloc, set(), []
    page.on("request", lambda request: asked.add(urlsplit(request.url)))
    page.on("websocket", lambda socket: asked.add(urlsplit(socket.url)))
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    for path, where in places(poisoned).items():
        page.goto(path)
        page.locator("h1").first.wait_for()
        if where:
            page.locator(where, has_text=SHOWN).first.wait_for()
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=150_000)
        page.wait_for_timeout(200)
        found = page.evaluate(INJECTED)
        if found != NOTHING:
            faults.append((path[:60], found))
        if page.get_by_test_id("stException").count():
            faults.append((path[:60], page.get_by_test_id("stException").first.inner_text()[:300]))
    assert not faults, "\n".join(map(str, faults))
    elsewhere = {url.geturl() for url in asked if url.scheme not in ("data", "blob") and url.netloc != own}
    assert elsewhere == set()
    assert len(asked) > 20
