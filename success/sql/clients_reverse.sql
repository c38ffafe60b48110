drop trigger clients_added on success_client;
drop trigger clients_changed on success_client;
drop trigger clients_removed on success_client;
drop function success_clients_added;
drop function success_clients_changed;
drop function success_clients_removed;
