"""The chaos run: whatever happens to a cluster happens to a real one while a known stream flows through its workers.

`python -m tests.chaos --seconds 120 --seed 1` (or `make chaos`). It needs `KAFKA_HOME`; the faults of disks need the
right to mount a file system, and that of a clock needs a C compiler. docs/explanation/chaos.md says what is proved.

    plan            which faults, when and to whom: drawn from the seed
    events          what is sent: comments, and everything that can be wrong with one
    feed            sends the events, and notes their places
    places          where each event lies in the input
    oracle          what must come out, and what came
    losses          which events a fault removed and a worker reported as gone
    accounts        what the workers counted, beside what came out
    output_reader   reads label events and dead letters
    cluster, disks  the brokers
    input_topic     what an administrator does to the input topic
    fleet           the workers, and the supervisor that starts them again
    fleet_worker    one of them: its process, its counters (`worker_metrics`) and its log (`worker_logs`)
    worker_program  what it runs, with one of the two models of `variants`
    injector        makes the faults of `worker_faults`, `broker_faults` and `topic_faults` happen
    run             all of it together
    report          what is printed, and what is a failure
"""
