drop function if exists success_zone(text, text);
