-- Drop the earlier revisions of an article, because they are in the record, unless it was saved since it was read.
-- KEYS 1 article hash
-- ARGV 1 the rev that was read
if redis.call('HGET', KEYS[1], 'rev') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'earlier')
end
