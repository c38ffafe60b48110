"""What import-linter cannot see: foreign keys written as strings keep the layers too."""

from django.apps import apps

BELOW = {"success": {"success", "auth", "django_celery_beat"}, "health": {"health", "success", "auth"}, "milestones": {"milestones", "success", "auth"}}


def test_foreign_keys_point_down():
    for app, allowed in BELOW.items():
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.get_fields():
                if field.is_relation and field.concrete:
                    assert field.related_model._meta.app_label in allowed, f"{model.__name__}.{field.name}"
