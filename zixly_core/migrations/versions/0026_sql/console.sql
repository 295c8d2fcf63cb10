-- Indexes by which the pages of the console find their rows.

-- Deliveries about a record, whoever's it is.
create index events_of_record_id on zixly.events (record_id, received_at);
