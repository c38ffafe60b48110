drop table success_activity;
drop function success_make_partitions;
drop function success_refuse_partition_write;
