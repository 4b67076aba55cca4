"""For gunicorn: `gunicorn wsgi:server`."""

from app import create_app
from services.jobs.builds import start_demo_if_needed
from services.jobs.local import LocalJobs
from services.settings import load_settings

settings = load_settings()
jobs = LocalJobs(settings)
server = create_app(settings, jobs).server
start_demo_if_needed(settings, jobs)
