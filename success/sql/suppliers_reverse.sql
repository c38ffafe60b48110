drop trigger supplier_added on success_supplier;
drop trigger supplier_changed on success_supplier;
drop function success_supplier_added;
drop function success_supplier_changed;
drop function success_in_service;
