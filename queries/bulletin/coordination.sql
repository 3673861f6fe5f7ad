-- grain: one row per matter for the coordination meeting
-- rule: overdue tickets by line and community, sites with repeated complaints,
--   hung tickets, tickets that need several lines, overdue repairs; who is
--   charged: the line and the community; until when: 5 working days from the
--   cut-off
-- build: month
with due_day as (
    select min(later.day) as day
    from core.month_info as info
    inner join seed.calendar as cutoff
        on (info.cutoff_at - interval 1 day)::date = cutoff.day
    inner join seed.calendar as later
        on cutoff.working_day_no + 5 = later.working_day_no
        and later.is_working
    where info.month = $month
),

ticket as (
    select
        ticket.*,
        community.name as community,
        name.name as line_name
    from core.month_ticket as ticket
    inner join core.month_unit as unit
        on ticket.grid_id = unit.grid_id
        and unit.month = $month
    left join core.month_unit as community
        on unit.community_id = community.grid_id
        and community.month = $month
    inner join seed.line as name
        on ticket.line = name.line
    where ticket.month = $month
),

matter as (
    select
        1 as rank_key,
        'overdue' as kind,
        ticket.community,
        ticket.line_name,
        ticket.community as subject,
        count(*) as cases
    from ticket
    where ticket.is_overdue_open
        and not ticket.is_excluded
    group by ticket.community, ticket.line_name
    having count(*) >= 2
    union all
    select
        2,
        'repeated',
        min(ticket.community),
        min(ticket.line_name),
        ticket.site_key,
        count(*)
    from ticket
    where ticket.is_reported
        and not ticket.is_excluded
        and ticket.site_key is not null
    group by ticket.site_key
    having count(*) >= 5
        and count(*) filter (ticket.settled_at is null) > 0
    union all
    select
        3,
        'boundary',
        ticket.community,
        ticket.line_name,
        ticket.helping_lines,
        count(*)
    from ticket
    where ticket.settled_at is null
        and ticket.helping_lines is not null
        and not ticket.is_excluded
    group by ticket.community, ticket.line_name, ticket.helping_lines
    union all
    select
        4,
        'hung',
        ticket.community,
        ticket.line_name,
        ticket.community,
        count(*)
    from ticket
    where ticket.state = 'hung'
        and (ticket.is_reported or ticket.is_due)
    group by ticket.community, ticket.line_name
    union all
    select
        5,
        'repair',
        community.name,
        '物管',
        repair.kind,
        count(*)
    from core.month_repair as repair
    inner join core.month_unit as unit
        on repair.grid_id = unit.grid_id
        and unit.month = $month
    left join core.month_unit as community
        on unit.community_id = community.grid_id
        and community.month = $month
    where repair.month = $month
        and repair.is_overdue_open
        and not repair.is_excluded
    group by community.name, repair.kind
)

select
    $month as month,
    row_number() over (
        order by matter.rank_key, matter.cases desc, matter.community,
        matter.line_name, matter.subject
    ) as position,
    matter.kind,
    matter.community,
    matter.line_name as line,
    matter.subject,
    matter.cases,
    due_day.day as until
from matter
cross join due_day
order by position
