-- Have Redis know an article as the record does, unless it has the same or a later state of it.
-- KEYS 1 article hash
-- ARGV 1 doc JSON   2 version   3 how often it was saved   4 its rev in the record   5 the rev to give it
--      6 feeds JSON   7 accepted (ms)   8 fingerprints
-- Returns 1 when it was not there, 2 when it was older, 0 when it stays.
local before = redis.call('HMGET', KEYS[1], 'rev', 'doc', 'feeds')
local feeds = ARGV[6]
if before[1] then
  local readable, doc = pcall(cjson.decode, before[2] or '')
  local version = readable and type(doc) == 'table' and tonumber(doc.version) or -1
  local saves = tonumber(string.match(before[1], '^%d+') or '0')
  if version > tonumber(ARGV[2]) or (version == tonumber(ARGV[2]) and saves >= tonumber(ARGV[3])) then
    return 0
  end
  -- Those as well in which it was by what Redis knows.
  local names, all = {}, {}
  for _, text in ipairs({feeds, before[3] or '[]'}) do
    local listed, list = pcall(cjson.decode, text)
    for _, name in ipairs(listed and type(list) == 'table' and list or {}) do
      names[name] = true
    end
  end
  for name in pairs(names) do
    all[#all + 1] = name
  end
  table.sort(all)
  feeds = #all > 0 and cjson.encode(all) or '[]'
end
redis.call(
  'HSET', KEYS[1], 'doc', ARGV[1], 'feeds', feeds, 'accepted', ARGV[7], 'fingerprints', ARGV[8], 'rev', ARGV[5],
  'recorded', ARGV[4] .. ' ' .. ARGV[5]
)
-- What was there and not noted yet was of another history.
redis.call('HDEL', KEYS[1], 'earlier', 'event', 'result')
return before[1] and 2 or 1
