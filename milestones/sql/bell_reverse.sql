drop trigger milestones_ring on milestones_achievement;
drop function milestones_ring();
