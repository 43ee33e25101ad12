-- with endpoints/ledger.part
-- Have the ledger of an endpoint say what the record says, unless it has a later entry.
-- KEYS 1 ledger
-- ARGV 1.. article, entry as JSON, article, entry ...
-- Returns how many were restored.
local restored = 0
for i = 1, #ARGV, 2 do
  local before, after = read_entry(redis.call('HGET', KEYS[1], ARGV[i])), read_entry(ARGV[i + 1])
  if not before or before.version < after.version
    or (before.version == after.version and tonumber(before.at or 0) < tonumber(after.at)) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    restored = restored + 1
  end
end
return restored
