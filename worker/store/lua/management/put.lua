-- Keep a copy of the management where every process can read it, and announce it, unless there is a later one.
-- KEYS 1 copy (hash)
-- ARGV 1 stamp   2 revision   3 the copy as JSON   4 the stamp that whoever puts it has seen there, or ''   5 channel
-- Whoever has seen what is there may replace it by an earlier one: the record was restored from a backup.
-- Returns 0 when there is a later one, else 1.
local stamp, revision = unpack(redis.call('HMGET', KEYS[1], 'stamp', 'revision'))
if stamp and stamp ~= ARGV[4] and tonumber(revision) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 'stamp', ARGV[1], 'revision', ARGV[2], 'copy', ARGV[3])
redis.call('PUBLISH', ARGV[5], ARGV[1])
return 1
