-- The documents of one article: the id of a document, then of the one that it updates, and so on to the original.
-- KEYS 1 hash: id of an update -> id of the document that it evolved from
-- ARGV 1 the document   2 the document that it names as the one that it updates, or ''
-- The first document that is named stays, and a name that would close a circle is ignored. Returns the ids.
local function trace(id)
  local ids = {}
  while id do
    ids[#ids + 1] = id
    id = redis.call('HGET', KEYS[1], id)
  end
  return ids
end
if ARGV[2] ~= '' and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  local circle = false
  for _, id in ipairs(trace(ARGV[2])) do
    circle = circle or id == ARGV[1]
  end
  if not circle then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  end
end
return trace(ARGV[1])
