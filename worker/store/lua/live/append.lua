-- Append what has happened to the stream of those who follow it.
-- KEYS 1 the stream
-- ARGV 1 how many entries are kept, about   2.. of each entry: its kind, and what it is about as JSON
for place = 2, #ARGV, 2 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', ARGV[place], ARGV[place + 1])
end
return redis.status_reply('OK')
