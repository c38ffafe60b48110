"""The API's description and the page to read it on: public, limited like any other route."""

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.renderers import TemplateHTMLRenderer

from success.api.views import Strict, View


class SchemaView(View, SpectacularAPIView):
    """OpenAPI 3."""

    permission_classes = [AllowAny]
    authentication_classes = []
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]


class DocumentQuery(Strict):
    """The page asks for its own script by this."""

    script = serializers.CharField(required=False, allow_blank=True, max_length=1)


@method_decorator(csp_update({"img-src": ["data:"], "style-src": ["'self'", "'unsafe-inline'"]}), name="dispatch")
class DocumentView(View, SpectacularSwaggerSplitView):
    """The description as a page."""

    permission_classes = [AllowAny]
    authentication_classes = []
    renderer_classes = [TemplateHTMLRenderer]
    query_serializer = DocumentQuery
