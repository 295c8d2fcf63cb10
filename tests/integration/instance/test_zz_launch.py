import time, cProfile, pstats
from tests.integration.instance.conftest import *
from zixly_dagster.workflow import LANE_TAG, PRIORITY_TAG
LIVE = {LANE_TAG: "live", PRIORITY_TAG: "normal"}
def test_launch(stack):
    runs=[stack.run_of("five_steps", tags=LIVE) for _ in range(60)]
    stack.launch(runs[0])
    t=time.process_time(); w=time.monotonic()
    for r in runs[1:30]: stack.launch(r)
    print("\ncpu ms", (time.process_time()-t)/29*1e3, "wall", (time.monotonic()-w)/29*1e3)
    p=cProfile.Profile(); p.enable()
    for r in runs[30:]: stack.launch(r)
    p.disable()
    pstats.Stats(p).sort_stats("cumulative").print_stats(40)
    pstats.Stats(p).sort_stats("tottime").print_stats(12)
