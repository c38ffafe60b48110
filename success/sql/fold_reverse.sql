drop trigger activity_fold on success_activity;
drop function success_activity_fold;
drop function success_fold_again;
