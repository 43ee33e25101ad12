-- with changes/state.part
-- Have a feed say of articles what the record says, unless it knows a later decision.
-- KEYS 1 meta   2 log   3 members   4 article states   5 tombstones   6 killed   7 left
-- ARGV 1 tombstones to keep   then for each article: article, version, decided (ms), state, place, sequence,
--      last sequence or '', 1 when readers never saw it there
-- Returns how many were restored.
local restored = 0
for i = 2, #ARGV, 8 do
  local article, state, seq, unseen = ARGV[i], ARGV[i + 3], ARGV[i + 5], ARGV[i + 7] == '1'
  local before = read_article_state(redis.call('HGET', KEYS[4], article))
  local version, decided = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if not before or before.version < version or (before.version == version and before.asof < decided) then
    restored = restored + 1
    local last = ARGV[i + 6] ~= '' and tonumber(ARGV[i + 6]) or nil
    redis.call('HSET', KEYS[4], article, write_article_state(ARGV[i + 1], ARGV[i + 2], state, unseen, last))
    redis.call('ZADD', KEYS[2], seq, article)
    redis.call('ZREM', KEYS[6], article)
    redis.call('ZREM', KEYS[7], article)
    local departure = state == 'killed' and 'kill' or (state == 'out' or (state == 'early' and not unseen)) and 'left'
    if departure then
      redis.call('ZADD', departure == 'kill' and KEYS[6] or KEYS[7], seq, article)
      if tonumber(seq) > tonumber(redis.call('HGET', KEYS[1], departure) or '0') then
        redis.call('HSET', KEYS[1], departure, seq)
        if departure == 'kill' then
          redis.call('HSET', KEYS[1], 'killed', ARGV[i + 2])
        end
      end
    end
    if state == 'in' then
      redis.call('ZADD', KEYS[3], ARGV[i + 4], article)
      redis.call('ZREM', KEYS[5], article)
    else
      redis.call('ZREM', KEYS[3], article)
      if not unseen then
        redis.call('ZADD', KEYS[5], ARGV[i + 2], article)
      end
    end
  end
end
redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1 - tonumber(ARGV[1]))
return restored
