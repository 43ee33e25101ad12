-- Read how endpoints of one feed stand, and what they have of an article, all at one moment.
-- KEYS 1 settled   2 claimed   3 backoff   4 paused   5 receiver states   6.. of each endpoint: ledger, parked, disputed
-- ARGV 1 article   2.. receivers
-- Returns of each receiver: the number of the set that it is in, 0: none; its score there; its state; the entry in its
-- ledger, the attempt by which the article was parked, the dispute about it, each as JSON, nil: none.
local rows = {}
local receivers = {unpack(ARGV, 2)}
local places = {}
for n = 1, 4 do
  places[n] = redis.call('ZMSCORE', KEYS[n], unpack(receivers))
end
local states = redis.call('HMGET', KEYS[5], unpack(receivers))
for number = 1, #receivers do
  local position, score = 0, '0'
  for n = 1, 4 do
    if places[n][number] then
      position, score = n, places[n][number]
    end
  end
  local at = #rows
  rows[at + 1], rows[at + 2], rows[at + 3] = position, score, states[number]
  for n = 1, 3 do
    -- One key that is damaged hides no other endpoint.
    rows[at + 3 + n] = redis.pcall('HGET', KEYS[2 + number * 3 + n], ARGV[1])
  end
end
return rows
