drop trigger milestones_facts_changed on success_facts;
drop trigger milestones_events_changed on success_eventuse;
drop trigger milestones_events_added on success_eventuse;
drop function milestones_facts_changed;
drop function milestones_events_changed;
drop function milestones_events_added;
drop function milestones_failed;
drop function milestones_reach;
drop function milestones_reached_at;
