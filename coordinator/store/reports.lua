-- What workers report of leased URLs. A part of store.lua, which tells the keys.

-- endings[KIND](job, report): the report tells of the leased URL (depth, host, entry) as well.
-- Returns the target's admission, if there is one.
local endings = {}

function endings.fetched(job, report)
  job:count_both(report.depth, 'fetched', 1)
  if report.depth > job.round then
    job:note_ahead(report.depth, report.entry, table.concat(
        { 'fetched', report.id, report.index, report.bytes, report.links }, ' '))
  end
end

function endings.redirected(job, report)
  job:count_both(report.depth, 'redirected', 1)
  local leased = parts_of(report.entry)
  local is_page = leased.sitemap == 0
  if is_page then job:count_page(report.host, -1) end
  local outcome, admission = report.refusal or '', nil
  if report.target_url then
    admission = job:admit(report.depth, report.target_fingerprint, report.target_url, text_of({
      url = '',
      referrer = leased.referrer,
      hops = tonumber(report.target_hops),
      sitemap = leased.sitemap,
    }), is_page)
    outcome = DROPPED[admission] or (admission == '=' and 'seen' or 'admitted')
  end
  job:post('redirected ' .. outcome .. ' ' .. (report.row or ''))
  if report.depth > job.round then
    job:note_ahead(report.depth, report.entry, 'redirected ' .. job:last_item())
  end
  return admission
end

function endings.failed(job, report)
  job:fail(report.depth, report.host, report.entry, report.word, 'failed ' .. (report.row or ''))
end

function endings.retried(job, report)
  local parts = parts_of(report.entry)
  parts.attempt = parts.attempt + 1
  local entry = text_of(parts)
  call('ZADD', job.prefix .. 'delayed', report.not_before, report.depth .. ' ' .. entry)
  job:note_ahead(report.depth, entry, 'delayed ' .. entry)
  job:count('retries', 1)
  job:count_both(report.depth, 'delayed', 1)
end

function endings.returned(job, report)
  job:push_front(report.depth, report.host, report.entry)
  job:refuse(report.id, report.index)
end

-- A URL leaves its lease, where it counted at a depth.
local function leave(job, report, depth)
  local lease = report.lease
  job:release(depth, 1)
  lease.ended[#lease.ended + 1] = report.index
  lease.fields[report.index] = false
end

local function finish(job, report)
  leave(job, report, report.depth)
  if report.kind ~= 'returned' and report.kind ~= 'retried' then
    job:count('bytes', report.bytes)
    job:count('links', report.links)
  end
  return endings[report.kind](job, report)
end

-- The arguments of one report:
--   lease index kind bytes links details candidates (name value)* (fingerprint url)*
-- Kind: a key of `endings`, or "" when more of the report follows. There are so many details, of
-- which each is left out when it says nothing:
--   word              why it has failed
--   not_before        when it is to be tried again
--   row               for the outbox
--   target_fingerprint target_url target_hops, or refusal     of a redirect
--   is_sitemap        of what is reported
--   sitemaps beyond   how many of the candidates, the first ones, are sitemaps, and how many, the
--                     last ones, lead too deep; the others are links
--   drops             "WORD COUNT ..."
--   domains           "HOST DOMAIN ..."
--   paused_until      when the host may be asked again

-- The report at args[at]: its details, and those arguments that are numbers as such. Its candidates
-- are args[report.first] ... args[report.last]; what is false is found out later. Raises BAD.
local function read_report(args, at)
  local first = at + 7 + 2 * args[at + 5]
  local report = {
    id = args[at], index = args[at + 1], kind = args[at + 2],
    bytes = tonumber(args[at + 3]), links = tonumber(args[at + 4]),
    first = first, last = first + 2 * args[at + 6] - 1,
    lease = false, entry = false, depth = false, host = false,
  }
  if report.kind ~= '' and not endings[report.kind] then
    error(redis.error_reply('BAD kind: ' .. report.kind))
  end
  for i = at + 7, first - 1, 2 do report[args[i]] = args[i + 1] end
  check_candidates(args, report.first, report.last)
  if report.target_url then
    check_candidates({ report.target_fingerprint, report.target_url }, 1, 2)
  end
  return report
end

-- The admissions of the sitemaps that a report lists.
local function admit_sitemaps(job, args, report, depth, last)
  local leased = parts_of(report.entry)
  local rest = text_of({ url = '', referrer = leased.referrer, sitemap = leased.sitemap + 1 })
  return job:admit_all(depth, args, report.first, last, rest, false)
end

-- Returns false when it is refused, the depth at which its URL waits when that has moved there, else
-- the admissions of the links, or those of the sitemaps, of the links and of the target when there
-- are others than of links.
local function accept(job, args, report)
  local lease = job.leases[report.id]
  local entry = lease.depth and lease.fields[report.index]
  if not entry then
    if report.kind ~= '' then job:count('reports_refused', 1) end
    return false
  end
  report.lease, report.entry, report.depth, report.host =
      lease, entry, lease.depth, lease.fields.host
  if report.paused_until then
    call('ZADD', job.prefix .. 'paused', 'GT', report.paused_until, report.host)
  end
  local moved_to, moved_entry = job:moved_to(entry)
  if moved_to then
    if report.kind == '' then return false end
    leave(job, report, moved_to)
    job:end_move(entry)
    job:refuse(report.id, report.index)
    job:push_front(moved_to, report.host, moved_entry)
    return moved_to
  end
  if report.domains then job:read_domains(report.domains) end
  if report.drops then job:count_drops(report.drops) end
  local depth = report.is_sitemap and report.depth or report.depth + 1
  local last_sitemap = report.first - 1 + 2 * (report.sitemaps or 0)
  local last_link = report.last - 2 * (report.beyond or 0)
  local sitemaps = report.sitemaps and admit_sitemaps(job, args, report, depth, last_sitemap)
  local links = ''
  if last_sitemap < report.last then
    local url = url_of(entry)
    links = job:admit_all(depth, args, last_sitemap + 1, last_link, ' ' .. url, true)
    if report.beyond then job:post_beyond(depth, args, last_link + 1, report.last, url) end
  end
  local target = report.kind ~= '' and finish(job, report)
  if not sitemaps and not target then return links end
  return { sitemaps or '', links, target and tostring(target) or '' }
end
