import os

from django.core.wsgi import get_wsgi_application

from success.checks import refuse_if_unsafe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
refuse_if_unsafe()
