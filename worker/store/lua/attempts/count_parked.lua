-- How many articles endpoints of a feed have set aside, all together. A damaged record is that of none: the endpoint's
-- own page tells of it.
-- KEYS 1... the articles that each endpoint has set aside
local count = 0
for _, key in ipairs(KEYS) do
  local size = redis.pcall('HLEN', key)
  if type(size) == 'number' then
    count = count + size
  end
end
return count
