-- The line of a document: its id, then that of which it is an update, and so on to the original.
-- KEYS 1 hash: id of an update -> id of what it evolved from
-- ARGV 1 the document   2 of which it says to be an update; empty: it does not say
-- What was said first holds, and what would make a circle is not noted. Returns the ids.
local function line(id)
  local ids = {}
  while id do
    ids[#ids + 1] = id
    id = redis.call('HGET', KEYS[1], id)
  end
  return ids
end
if ARGV[2] ~= '' and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  local circle = false
  for _, id in ipairs(line(ARGV[2])) do
    circle = circle or id == ARGV[1]
  end
  if not circle then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  end
end
return line(ARGV[1])
