-- Read what endpoints of one feed have of articles.
-- KEYS 1.. their ledgers
-- ARGV 1 how many lists of articles   2.. of each: its length, the articles; then for each ledger the number of its list
-- Returns of each ledger its entries: the place in the list, from 0 on, and the entry, of each article that it has.
local lists, place = {}, 2
for _ = 1, ARGV[1] do
  local last = place + tonumber(ARGV[place])
  lists[#lists + 1] = {place + 1, last}
  place = last + 1
end
local ledgers = {}
for number, ledger in ipairs(KEYS) do
  local list = lists[tonumber(ARGV[place + number - 1])]
  local entries = {}
  for index, entry in ipairs(redis.call('HMGET', ledger, unpack(ARGV, list[1], list[2]))) do
    if entry then
      entries[#entries + 1] = index - 1
      entries[#entries + 1] = entry
    end
  end
  ledgers[number] = entries
end
return ledgers
