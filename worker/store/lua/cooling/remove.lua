-- Remove an article, if nobody has saved it since it was read: from then on it is cold.
-- KEYS 1 article hash
-- ARGV 1 rev
-- Returns 1, or 0 when it was saved.
if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
