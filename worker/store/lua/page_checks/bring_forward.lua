-- with outboxes/append.part outboxes/pages.part
-- Have pages checked soon, also those whose checks have ended. A page of an article that is not killed is left out.
-- KEYS 1 page checks due   2 page checks   3 outbox
-- ARGV 1 when (ms), at the latest   2 ... members
for i = 2, #ARGV do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    if redis.call('ZADD', KEYS[1], 'LT', 'CH', ARGV[1], ARGV[i]) == 1 then
      append_page(KEYS[3], KEYS[1], KEYS[2], ARGV[i])
    end
  end
end
