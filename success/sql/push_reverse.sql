drop trigger success_push_ring on success_push;
drop function success_push_ring();
drop sequence success_push_place;
