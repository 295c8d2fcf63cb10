import time, psutil
from tests.integration.instance.conftest import *
from tests.integration.instance.test_daemon import start_all
from zixly_dagster.workflow import LANE_TAG, PRIORITY_TAG
LIVE = {LANE_TAG: "live", PRIORITY_TAG: "normal"}
def cpu(procs): return sum(sum(p.cpu_times()[:2]) for p in procs)
def test_m(stack):
    N=300
    stack.start_worker()
    for n in range(8):
        r=stack.run_of("five_steps", tags=LIVE); stack.launch(r); stack.wait_for(r)
    runs=[stack.run_of("five_steps", tags=LIVE) for _ in range(N)]
    kids=stack.started[0].children; c0=cpu(kids); m0=cpu([psutil.Process(stack.started[0].process.pid)])
    t=time.monotonic()
    for r in runs: stack.launch(r)
    tl=time.monotonic()-t
    from dagster import RunsFilter
    until(lambda: stack.instance.get_runs_count(RunsFilter(statuses=[DagsterRunStatus.SUCCESS]))>=N+8, seconds=100, what="x")
    d=time.monotonic()-t
    print(f"\nlaunch {tl/N*1e3:.1f} ms/run; {N/d:.1f} runs/s; child cpu {(cpu(kids)-c0)/N*1e3:.1f} ms/run; main cpu {(cpu([psutil.Process(stack.started[0].process.pid)])-m0)/N*1e3:.1f}", os.getloadavg())
    lat=[]
    for n in range(20):
        r=stack.run_of("five_steps", tags=LIVE); t=time.time(); stack.launch(r); stack.wait_for(r)
        s=stack.instance.get_run_stats(r.run_id); lat.append(((s.start_time-t)*1e3, (s.end_time-t)*1e3)); time.sleep(.1)
    lat.sort(); print("launch->started, ->ended ms median", lat[10], "worst", lat[-1])
def test_daemon_idle(stack):
    start_all(stack)
    d=stack.start("zixly_dagster.instance.daemon")
    time.sleep(8)
    ps=[psutil.Process(d.process.pid), psutil.Process(stack.started[0].process.pid)]
    pg=[p for p in psutil.process_iter(["name","cmdline"]) if "postgres" in (p.info["name"] or "") and any("dagster" in x for x in p.info["cmdline"])]
    c=[cpu([p]) for p in ps]; g=cpu(pg); time.sleep(20)
    print("\nidle cpu %: daemon", (cpu([ps[0]])-c[0])/20*100, "code", (cpu([ps[1]])-c[1])/20*100, "pg", (cpu([p for p in pg if p.is_running()])-g)/20*100, "rss MB", [round(p.memory_info().rss/1e6) for p in ps], os.getloadavg())
    w=stack.started[1]; print("worker rss", [round(psutil.Process(w.process.pid).memory_info().rss/1e6)]+[round(k.memory_full_info().uss/1e6) for k in w.children])
    print("connections", psycopg.connect(stack.environment["ZIXLY_DAGSTER_DATABASE_URL"].replace("+psycopg2","")).execute("select count(*) from pg_stat_activity where application_name='dagster'").fetchone())
