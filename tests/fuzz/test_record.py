"""The record puts runs on several commits together."""

import json

from fuzz import record


def unit(campaign, commit, **counts):
    return {"campaign": campaign, "commit": commit, "seed": 0, "seconds": 60.0, "cpu": 30.0, "counts": counts}


def test_runs_are_put_together_by_campaign_and_commit(tmp_path):
    runs = [tmp_path / "a", tmp_path / "b"]
    units = [
        [
            unit("text:x", "c1", texts=1000, characters=9, **{"law ids": 1000}),
            unit("specs", "c1", specs=3, mismatches=2),
        ],
        [unit("text:x", "c2", texts=500), unit("text:y", "c2", texts=7, **{"unit hung": 1})],
    ]
    for run, results in zip(runs, units, strict=True):
        run.mkdir()
        (run / "units.jsonl").write_text("".join(json.dumps(one) + "\n" for one in results) + '{"cut sh')
    page = tmp_path / "page.md"
    page.write_text(f"before\n{record.START}\nold\n{record.END}\nafter\n")

    text = record.markdown(record.results(runs))

    assert "| real models against `tokenizers` | 3 | 2 | 1,507 | 9 |  |  |  | 0 |" in text
    assert "| `c1` | 2 | 1 | 1,000 | 9 | 3 |  |  | 2 |" in text
    assert "texts a model: 7 (y) to 1,500 (x), 2 of them" in text
    assert "ids 1,000" in text
    assert "1 units ended early" in text
