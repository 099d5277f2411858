-- What workers report of leased URLs. A part of store.lua, which tells the keys.

-- Where the candidates begin in a report.
local FIRST_LINK = 19

-- endings[KIND](job, url, report): `url` is the leased URL (id, index, depth, host, entry),
-- `report` what the worker says of it. Returns the target's admission, if there is one.
local endings = {}

function endings.fetched(job, url, report)
  job:count_both(url.depth, 'fetched', 1)
  if url.depth > job.round then
    job:note_ahead(url.depth, url.entry, table.concat(
        { 'fetched', url.id, url.index, report.bytes, report.links }, ' '))
  end
end

function endings.redirected(job, url, report)
  job:count_both(url.depth, 'redirected', 1)
  local leased = parts_of(url.entry)
  local is_page = leased.sitemap == 0
  if is_page then job:count_page(url.host, -1) end
  local outcome, admission = report.refusal, nil
  if report.target_url ~= '' then
    admission = job:admit(url.depth, report.target_fingerprint, report.target_url, text_of({
      url = '',
      referrer = leased.referrer,
      hops = tonumber(report.target_hops),
      sitemap = leased.sitemap,
    }), is_page)
    outcome = DROPPED[admission] or (admission == '=' and 'seen' or 'admitted')
  end
  job:post('redirected ' .. outcome .. ' ' .. report.row)
  if url.depth > job.round then
    job:note_ahead(url.depth, url.entry, 'redirected ' .. job:last_item())
  end
  return admission
end

function endings.failed(job, url, report)
  job:fail(url.depth, url.host, url.entry, report.word, 'failed ' .. report.row)
end

function endings.retried(job, url, report)
  local parts = parts_of(url.entry)
  parts.attempt = parts.attempt + 1
  local entry = text_of(parts)
  call('ZADD', job.prefix .. 'delayed', report.not_before, url.depth .. ' ' .. entry)
  job:note_ahead(url.depth, entry, 'delayed ' .. entry)
  job:count('retries', 1)
  job:count_both(url.depth, 'delayed', 1)
end

function endings.returned(job, url)
  job:push_front(url.depth, url.host, url.entry)
  job:refuse(url.id, url.index)
end

-- A URL leaves its lease, where it counted at a depth.
local function leave(job, url, depth)
  job:release(depth, 1)
  url.lease.ended[#url.lease.ended + 1] = url.index
  url.lease.has_ended[url.index] = true
end

local function finish(job, url, report)
  leave(job, url, url.depth)
  if report.kind ~= 'returned' and report.kind ~= 'retried' then
    job:count('bytes', tonumber(report.bytes))
    job:count('links', tonumber(report.links))
  end
  return endings[report.kind](job, url, report)
end

-- The arguments of one report:
--   lease index kind word bytes links row refusal target_hops target_fingerprint target_url
--   is_sitemap drops domains not_before paused_until sitemaps beyond (fingerprint url)*
-- Kind: a key of `endings`, or "" when more of the report follows. Drops: "WORD COUNT ...".
-- Paused_until: "" when the host is not to be left alone. The first `sitemaps` pairs are sitemaps,
-- the last `beyond` ones links that lead too deep, the others links.

local function check_report(args)
  if args[11] ~= '' then check_candidates({ args[10], args[11] }, 1) end
  check_candidates(args, FIRST_LINK)
end

-- Returns false when it is refused, the depth at which its URL waits when that has moved there, else
-- admissions of the sitemaps, of the links and of the target.
local function accept(job, args)
  local id, index = args[1], args[2]
  local report = {
    kind = args[3], word = args[4], bytes = args[5], links = args[6], row = args[7],
    refusal = args[8], target_hops = args[9], target_fingerprint = args[10],
    target_url = args[11], not_before = args[15],
  }
  local lease = job:lease(id)
  local entry = lease.depth and not lease.has_ended[index] and call('HGET', lease.key, index)
  if not entry then
    if report.kind ~= '' then job:count('reports_refused', 1) end
    return false
  end
  local host = lease.host
  local url = { id = id, index = index, lease = lease, depth = lease.depth, host = host,
                entry = entry }
  if args[16] ~= '' then call('ZADD', job.prefix .. 'paused', 'GT', args[16], host) end
  local moved_to, moved_entry = job:moved_to(entry)
  if moved_to then
    if report.kind == '' then return false end
    leave(job, url, moved_to)
    job:end_move(entry)
    job:refuse(id, index)
    job:push_front(moved_to, host, moved_entry)
    return moved_to
  end
  local depth_of_links = args[12] == '1' and url.depth or url.depth + 1
  local last_sitemap = FIRST_LINK + 2 * tonumber(args[17]) - 1
  job:read_domains(args[14])
  for word, count in string.gmatch(args[13], '([^ ]+) (%d+)') do
    job:count('dropped:' .. word, tonumber(count))
  end
  local sitemaps = ''
  if last_sitemap > FIRST_LINK then
    local leased = parts_of(entry)
    local as_nested =
        text_of({ url = '', referrer = leased.referrer, sitemap = leased.sitemap + 1 })
    sitemaps = job:admit_all(depth_of_links, args, FIRST_LINK, last_sitemap, as_nested, false)
  end
  local last_link = #args - 2 * tonumber(args[18])
  local links =
      job:admit_all(depth_of_links, args, last_sitemap + 1, last_link, ' ' .. url_of(entry), true)
  if last_link < #args then
    job:post_beyond(depth_of_links, args, last_link + 1, #args, url_of(entry))
  end
  local target = report.kind ~= '' and finish(job, url, report)
  return { sitemaps, links, target and tostring(target) or '' }
end
