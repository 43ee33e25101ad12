-- Read which articles endpoints of one feed are sent again next.
-- KEYS 1.. of each endpoint: replay, replaying
-- ARGV 1.. for each: the place of the last article that is read
-- Returns of each that has any: which one it is, from 0 on; the articles; the fields of the request.
local replays = {}
for number = 0, #KEYS / 2 - 1 do
  local articles = redis.call('ZRANGE', KEYS[2 * number + 1], 0, ARGV[number + 1])
  if articles[1] then
    replays[#replays + 1] = number
    replays[#replays + 1] = articles
    replays[#replays + 1] = redis.call('HGETALL', KEYS[2 * number + 2])
  end
end
return replays
