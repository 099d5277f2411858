-- What the seen set and the limits say to candidates. A part of store.lua, which tells the keys.

-- Why a limit drops a candidate: as its admission, and in the counters.
local DROPPED = { P = 'pages_per_host', D = 'hosts_per_domain' }

-- Raises BAD unless args[first] ... args[last] are pairs of a fingerprint and a URL that has a host
-- and no blank: the least that keeps keys and entries sound.
local function check_candidates(args, first, last)
  local find = string.find
  for i = first, last, 2 do
    local url = args[i + 1] or ''
    if not find(url, '^https?://[^/?]') or find(url, ' ', 1, true) then
      error(redis.error_reply('BAD candidate: ' .. args[i] .. ' ' .. url))
    end
  end
end

-- Takes a URL off the greater depth at which it is, if it may move: its entry there is void, or what
-- was counted of it is undone. Returns that depth and, of one that was leased ahead, what
-- take_back() does; or nil.
function Job:take_deeper(depth, fingerprint, url, rest)
  for deeper = math.max(depth, self.round) + 1, self.deepest do
    if self:waiting_at(deeper):remove(fingerprint) then
      local state = deeper == self.round + 1 and self:ahead_of(url)
      if state then return deeper, self:take_back(deeper, depth, url .. rest, state) end
      self:void(deeper, host_of(url), url)
      return deeper
    end
  end
end

-- Counts a new URL for its host, unless a limit drops it: the key in DROPPED then, else nil.
function Job:admit_to_host(host, is_page)
  if is_page and self.pages_per_host > 0 and
     (self:counted('pages_of_host', host) or 0) >= self.pages_per_host then
    return 'P'
  end
  local domain = self.domains[host]
  if domain and self.hosts_per_domain > 0 and not self:counted('pages_of_host', host) then
    if (self:counted('hosts_of_domain', domain) or 0) >= self.hosts_per_domain then return 'D' end
    count(self, 'hosts_of_domain', domain, 1)
  end
  self:count_page(host, is_page and 1 or 0)
end

-- Returns "+" when the URL is new, "=" when it was seen, the depth from which it moved, "DEPTH:WAS"
-- when it was leased ahead there, or a key in DROPPED. `rest`: what follows the URL in its entry.
function Job:admit(depth, fingerprint, url, rest, is_page)
  local from, was, kept, host
  if self:set('seen'):add(fingerprint) then
    host = host_of(url)
    local drop = self:admit_to_host(host, is_page)
    if drop then
      self:set('seen'):remove(fingerprint)
      self:count('dropped:' .. DROPPED[drop], 1)
      return drop
    end
    self:count_both(depth, 'admitted', 1)
  else
    from, was, kept = self:take_deeper(depth, fingerprint, url, rest)
    if not from then return '=' end
    host = host_of(url)
    self:count('moved', 1)
    self:count_round(from, 'admitted', -1)
    self:count_round(depth, 'admitted', 1)
    -- What was at a depth that is not open is no sitemap: those are found at open ones.
    if not is_page then self:count_page(host, -1) end
  end
  self:reach(depth)
  if was ~= 'L' then self:push_later(depth, host, kept or url .. rest) end
  if depth > self.round then self:waiting_at(depth):add_later(fingerprint) end
  if was then return from .. ':' .. was end
  return from or '+'
end

-- Admits the pairs in args[first] ... args[last] and returns what came of each, parted by blanks.
-- `rest`: what follows the URL in their entries.
function Job:admit_all(depth, args, first, last, rest, is_page)
  local admissions = {}
  for i = first, last, 2 do
    local url = args[i + 1]
    admissions[#admissions + 1] = self:admit(depth, args[i], url, rest, is_page)
  end
  return table.concat(admissions, ' ')
end

-- Posts those of the pairs in args[first] ... args[last] that are new as found at a depth that is
-- not crawled.
function Job:post_beyond(depth, args, first, last, referrer)
  local beyond, urls = self:set('beyond:' .. depth), {}
  for i = first, last, 2 do
    if not self:set('seen'):contains(args[i]) and beyond:add(args[i]) then
      urls[#urls + 1] = args[i + 1]
    end
  end
  if #urls == 0 then return end
  self:post('beyond ' .. depth .. ' ' .. referrer .. ' ' .. table.concat(urls, ' '))
end

-- "WORD COUNT ..."
function Job:count_drops(text)
  for word, count in string.gmatch(text, '([^ ]+) (%d+)') do
    self:count('dropped:' .. word, tonumber(count))
  end
end

-- "HOST DOMAIN ..."
function Job:read_domains(text)
  for host, domain in string.gmatch(text, '([^ ]+) ([^ ]+)') do self.domains[host] = domain end
end
