"""How processes run: Celery and its broker, the wiring, what time changes, `dateline up`, logs.

- **A Celery message is a wake-up call, never the truth.** What it could not do a duty does within a second. The one
  exception is `dateline.accept`, which waits in its task until Redis has the event (`tasks`).
- **One script takes a message off a Redis broker and notes who has it** (`broker_inbox`). kombu pops it and notes it
  afterwards, so a worker that is killed in between takes the message along.
- **Each duty has a thread of its own** (`duty`, `sweep`): one that takes long, or can't be done, delays no other.
- **Other settings are another runtime, not changes to one** (`rereading`, `worker_process`). At SIGHUP a worker starts
  a second `WorkerRuntime` and then stops the first, as if another worker came and this one went. So no setting can be
  forgotten, and a file with a mistake changes nothing.
- **Endpoints are enrolled again whenever a worker takes charge** (`endpoint_enrolment`).
- **Logging never stops work** (`logs`): one thread writes whole lines; lines that can't be written are counted.

It must never hold what belongs in a room: it starts, stops and connects. Nothing imports it but the command line, the
web app where it is wired, and tests.
"""
