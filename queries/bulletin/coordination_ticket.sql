-- grain: one row per matter that tickets put to the coordination meeting
-- rule: overdue tickets by line and community (2 or more), sites with repeated
--   complaints (5 or more, one unsettled), open tickets that need several lines,
--   hung tickets; fewer than 3 of sensitive categories are not listed
-- build: month
with ticket as (
    select
        ticket.*,
        community.name as community,
        name.name as line_name,
        category.is_sensitive
    from core.month_ticket as ticket
    inner join core.month_unit as unit
        on ticket.grid_id = unit.grid_id
        and unit.month = $month
    left join core.month_unit as community
        on unit.community_id = community.grid_id
        and community.month = $month
    inner join seed.line as name
        on ticket.line = name.line
    left join seed.category as category
        on ticket.category = category.category
    where ticket.month = $month
),

matter as (
    select
        'overdue' as kind,
        ticket.community,
        ticket.line_name,
        ticket.community as subject,
        count(*) as cases,
        count(*) filter (ticket.is_sensitive) as sensitive
    from ticket
    where ticket.is_overdue_open
        and not ticket.is_excluded
    group by ticket.community, ticket.line_name
    having count(*) >= 2
    union all
    select
        'repeated',
        min(ticket.community),
        min(ticket.line_name),
        ticket.site_key,
        count(*),
        count(*) filter (ticket.is_sensitive)
    from ticket
    where ticket.is_reported
        and not ticket.is_excluded
        and ticket.site_key is not null
    group by ticket.site_key
    having count(*) >= 5
        and count(*) filter (ticket.settled_at is null) > 0
    union all
    select
        'boundary',
        ticket.community,
        ticket.line_name,
        replace(ticket.helping_lines, ',', '、'),
        count(*),
        count(*) filter (ticket.is_sensitive)
    from ticket
    where ticket.settled_at is null
        and ticket.helping_lines is not null
        and not ticket.is_excluded
    group by ticket.community, ticket.line_name, ticket.helping_lines
    union all
    select
        'hung',
        ticket.community,
        ticket.line_name,
        ticket.community,
        count(*),
        count(*) filter (ticket.is_sensitive)
    from ticket
    where ticket.state = 'hung'
        and (ticket.is_reported or ticket.is_due)
    group by ticket.community, ticket.line_name
)

select
    $month as month,
    matter.kind,
    matter.community,
    matter.line_name,
    matter.subject,
    matter.cases
from matter
where matter.cases >= 3
    or matter.sensitive < matter.cases
order by
    matter.kind, matter.community, matter.line_name, matter.subject
