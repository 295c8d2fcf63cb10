import time, os, cProfile, pstats
from dagster import DagsterRunStatus
from tests.integration.instance.conftest import *
from zixly_dagster.workflow import LANE_TAG, PRIORITY_TAG

LIVE = {LANE_TAG: "live", PRIORITY_TAG: "normal"}


def test_m(stack):
    N = 120
    stack.start_worker()
    warm = [stack.run_of("five_steps", tags=LIVE) for _ in range(4)]
    for r in warm:
        stack.launch(r)
    for r in warm:
        stack.wait_for(r)
    t = time.monotonic()
    runs = [stack.run_of("five_steps", tags=LIVE) for _ in range(N)]
    print("\ncreate ms/run", (time.monotonic() - t) / N * 1e3)
    import psutil

    t = time.monotonic()
    for r in runs:
        stack.launch(r)
    tl = time.monotonic() - t
    print("launch ms/run", tl / N * 1e3)
    for r in runs:
        stack.wait_for(r, seconds=60)
    d = time.monotonic() - t
    print("runs/s", N / d, "cpu children ms/run", sum(sum(c.cpu_times()[:2]) for c in stack.started[0].children) / (N + 4) * 1e3)


def test_profile(stack, monkeypatch):
    from zixly_dagster.instance import run_in_worker

    for i in range(3):
        r = stack.run_of("five_steps")
        run_in_worker.run_in_worker(r.run_id)
    rs = [stack.run_of("five_steps") for _ in range(30)]
    from sqlalchemy import event
    from zixly_dagster.instance.engines import _engines

    n = [0]
    stm = []
    t = time.monotonic()
    p = cProfile.Profile()
    run_in_worker.run_in_worker(rs[0].run_id)
    print("\nqueries", n[0])
    print("\n".join(stm))
    t = time.process_time()
    w = time.monotonic()
    for r in rs[1:20]:
        run_in_worker.run_in_worker(r.run_id)
    print("cpu ms/run", (time.process_time() - t) / 19 * 1e3, "wall", (time.monotonic() - w) / 19 * 1e3)
    p.enable()
    for r in rs[20:]:
        run_in_worker.run_in_worker(r.run_id)
    p.disable()
    pstats.Stats(p).sort_stats("cumulative").print_stats(45)
    pstats.Stats(p).sort_stats("tottime").print_stats(25)
