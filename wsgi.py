"""For gunicorn: `gunicorn wsgi:server`."""

from app import create_app
from services.jobs.builds import start_demo_if_needed
from services.settings import load_settings

settings = load_settings()
server = create_app(settings).server
start_demo_if_needed(settings)
