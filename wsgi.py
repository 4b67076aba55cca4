"""For gunicorn: `gunicorn wsgi:server`."""

import logging

from app import create_app
from services.errors import JobError
from services.jobs.builds import start_demo_if_needed
from services.jobs.which import jobs_of
from services.settings import load_settings

settings = load_settings()
jobs = jobs_of(settings)
server = create_app(settings, jobs).server
try:
    start_demo_if_needed(settings, jobs)
except JobError as error:  # Redis is away: atlases are served, and /readyz says so
    logging.getLogger(__name__).warning("%s", error)
