-- grain: one row per building grid
-- rule: a grade for the month, a place on three months; one building grid is one
--   person, so it is named by its code
-- build: month
with sample as (
    select
        line.grid_id,
        round(sum(line.pooled_share * line.weight) / sum(line.weight) / 10000, 1)::decimal(5, 1) as small_share
    from score.line as line
    where line.month = $month
        and line.level = 4
    group by line.grid_id
),

ticket as (
    select
        ticket.grid_id,
        count(*) as due
    from core.month_ticket as ticket
    where ticket.month = $month
        and ticket.is_due
        and not ticket.is_excluded
    group by ticket.grid_id
)

select
    $month as month,
    row_number() over (
        order by ranking.peer_group, ranking.place nulls last, ranking.grid_id
    ) as position,
    ranking.grid_id as code,
    unit.community_id,
    unit.area_id,
    community.name as community,
    ranking.peer_group,
    unit.households,
    coalesce(ticket.due, 0) as tickets_due,
    ranking.total,
    ranking.grade,
    ranking.rolling_total,
    ranking.rolling_months,
    ranking.place,
    ranking.is_tied,
    ranking.units,
    sample.small_share,
    ranking.reason as unranked
from ranking.building as ranking
inner join core.month_unit as unit
    on ranking.grid_id = unit.grid_id
    and unit.month = $month
left join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
left join sample
    on ranking.grid_id = sample.grid_id
left join ticket
    on ranking.grid_id = ticket.grid_id
where ranking.month = $month
order by position
