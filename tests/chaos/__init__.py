"""The chaos run: workers and brokers of a real Kafka are killed, frozen and cut off while a known stream flows.

`python -m tests.chaos --seconds 120 --seed 1` (or `make chaos`). It needs `KAFKA_HOME`.

    plan      which faults, when and to whom: drawn from the seed
    events    what is sent: comments, and everything that can be wrong with one
    oracle    what must come out, and what came
    feed      sends the events, under fire
    audience  reads labels and dead letters, under fire
    fleet     the workers, and the supervisor that starts them again
    faults    makes the faults happen
    run       all of it together
    report    what is printed, and what is a failure
"""
