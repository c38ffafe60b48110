"""What Celery may call. A message is a hint: lost or doubled, the rows decide."""

from celery import current_app, shared_task

from success import clock, due, jobs


@shared_task
def run_job(*, job: str, **_: object) -> None:
    """Runs what is due of a job that takes seconds."""
    jobs.run_due(job, at=clock.now())


@shared_task(soft_time_limit=240, time_limit=300)
def run_long_job(*, job: str, **_: object) -> None:
    """Runs what is due of a job that may take minutes."""
    jobs.run_due(job, at=clock.now())


@shared_task
def run_due_rows(*, kind: str, **_: object) -> None:
    """Does what is due of one kind, beside whoever else does."""
    due.run(due.registered()[kind], at=clock.now())


@shared_task
def send_overdue(**_: object) -> None:
    """Asks again for the jobs that nobody ran in time."""
    for task in jobs.overdue(at=clock.now()):
        current_app.send_task(task.task, kwargs={"job": task.name}, queue=task.queue, expires=55)
