-- What migrations make from here on is open to nobody until they say to whom: a function would otherwise be everybody's.
alter default privileges revoke execute on functions from public;
