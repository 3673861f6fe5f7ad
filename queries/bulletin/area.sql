-- grain: one row per area
-- rule: 运行得分 on the lines that exist at the level, with the coverage
-- build: month
with line as (
    select
        line.grid_id,
        max(line.score) filter (line.line = 'law') as law,
        max(line.score) filter (line.line = 'safety') as safety,
        max(line.score) filter (line.line = 'environment') as environment,
        max(line.score) filter (line.line = 'city') as city,
        max(line.score) filter (line.line = 'property') as property,
        round(sum(line.pooled_share * line.weight) / sum(line.weight) / 10000, 1)::decimal(5, 1) as small_share
    from score.line as line
    where line.month = $month
        and line.level = 3
    group by line.grid_id
)

select
    $month as month,
    row_number() over (order by ranking.place nulls last, unit.grid_id) as position,
    unit.grid_id,
    unit.community_id,
    unit.path as name,
    community.name as community,
    unit.households,
    ranking.place,
    ranking.is_tied,
    ranking.total,
    line.* exclude (grid_id),
    ranking.last_place,
    ranking.place_change,
    ranking.total_change,
    ranking.reason as unranked
from ranking.total as ranking
inner join core.month_unit as unit
    on ranking.grid_id = unit.grid_id
    and unit.month = $month
left join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
left join line
    on ranking.grid_id = line.grid_id
where ranking.month = $month
    and ranking.level = 3
order by position
