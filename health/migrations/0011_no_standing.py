"""The table that said it before is asked no more. Workers that still run the code before may write to it, so it stays, empty and tied to no supplier.

The next release drops it.
"""

from django.db import migrations

UNTIE = """
truncate health_standing;
do $$ declare name text; begin
    for name in select conname from pg_constraint where conrelid = 'health_standing'::regclass and contype = 'f' loop
        execute format('alter table health_standing drop constraint %I', name);
    end loop;
end $$
"""
TIE = """
truncate health_standing;
insert into health_standing (supplier_id, standing) select supplier_id, stood from health_assessment;
alter table health_standing add foreign key (supplier_id) references success_supplier (id) deferrable initially deferred
"""


class Migration(migrations.Migration):
    dependencies = [("health", "0010_stood_filled")]
    operations = [
        migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL(UNTIE, TIE)], state_operations=[migrations.DeleteModel("Standing")])
    ]
