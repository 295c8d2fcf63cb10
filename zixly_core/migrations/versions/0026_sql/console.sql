-- Indexes by which the pages of the console find their rows.
select 1;
